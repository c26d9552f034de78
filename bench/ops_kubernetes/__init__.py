"""The manifests under deploy/k8s, tried on clusters: by schema, on nodes that only pretend, and on a real one."""
