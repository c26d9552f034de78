"""What a Kubernetes deployment is told of the platform, made from the topic catalogue and the names of the services."""
