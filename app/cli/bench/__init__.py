"""What does a large, believable database look like? The same one each time, for one size, seed and day."""
