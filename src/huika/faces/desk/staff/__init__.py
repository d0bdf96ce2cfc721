"""How staff sign in, recover, approve and sign out."""
