"""How the tables came to be, step by step. Run at every start by `store/database.py`."""
