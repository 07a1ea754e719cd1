"""How requests reach the stand-in: the API, the controls, and the pages a person sees."""
