"""Shows the collection to other tools: a tree of links, or a file that names the folders."""
