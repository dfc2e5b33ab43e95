"""What is true of a model before it is trained, and what serving needs to use it afterwards."""
