"""The admin API: who may look in, and what there is to see. Closed unless somebody opens it."""
