"""The public HTTP API: OpenAPI at /v1/openapi.json, problem+json for every refusal, a key on every POST."""
