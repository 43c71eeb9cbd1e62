"""What is said of a model in words: by its header, by the notes of other tools, and how it is told to people."""
