"""台帳: incidents and faults with who is told of them, contacts, announcements, and the reviews that come round by the calendar."""
