"""Who may call, for what, how often, and who did what: API keys, their rates and the audit."""
