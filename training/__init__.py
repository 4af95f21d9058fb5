"""What is trained here and shipped with the package: `./run train-encoder`."""
