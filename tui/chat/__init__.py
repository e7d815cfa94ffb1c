"""The chat screen: transcript, memory feed, context gauge, composer."""
