"""自己点検: the clauses of published policies beside what this installation really does, its settings and its evidence of the day."""
