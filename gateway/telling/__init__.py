"""Mails of the house: the words we send people, who is told what and when, and what an operator has to hear at once."""
