"""HTTP: the webhook that the cloud calls, and what operators ask."""
