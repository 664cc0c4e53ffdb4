"""The edges of a call: the cloud, the clock, tools and logs around the pure core."""
