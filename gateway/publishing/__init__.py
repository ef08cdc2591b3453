"""Rules, policy and lists from a draft to what is in force: versions, another person's word, trials on past traffic, and the way back."""
