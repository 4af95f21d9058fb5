"""The HTTP API: `/api/v1`, described by an OpenAPI 3.1 document that derives from the kinds."""
