"""What `make run` shows: poisoned samples go in, clean ones come out, with the reasons."""
