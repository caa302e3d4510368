"""What runs inside a sandbox: standard library only, no imports from outside this folder."""
