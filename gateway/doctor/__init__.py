"""What an installation stands on, looked at: clock, disks, certificates, database, what is open and who can be reached."""
