"""What `modelhub train` is made of: flags -> recipe -> training, and what is shown of trainings."""
