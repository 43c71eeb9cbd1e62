"""New models from recipes.

`trainers.train.train` is the one public job: recipe in, artifact in the catalog out. What is trained is written,
read back, compared, identified and catalogued as any download is.
"""
