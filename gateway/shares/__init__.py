"""Folders of the inner side that sanitised files are put into: directories and SMB shares."""
