"""The other screens: memories, SQL, sessions, help."""
