"""報告: what a day, a month, a fiscal year looked like, as a paper and as tables; made by the calendar and sent by mail."""
