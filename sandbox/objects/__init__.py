"""The objects of the API, one room per type: what can be asked of it, and what happens then."""
