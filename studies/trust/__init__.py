"""How far repeated measurements agree: this suite, its peers, and other estimators."""
