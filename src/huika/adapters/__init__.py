"""What reaches outside: one folder a port, one file a provider. Settings name the provider."""
