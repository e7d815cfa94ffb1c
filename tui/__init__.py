"""The terminal interface: a second front end over the same core as the command line."""
