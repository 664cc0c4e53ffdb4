"""Sign-in by OpenID Connect: Entra ID, and any other provider that keeps to the standard."""
