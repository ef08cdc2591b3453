"""The road: takes in, keeps, decides, lets out. It moves sealed bytes and never looks inside a file."""
