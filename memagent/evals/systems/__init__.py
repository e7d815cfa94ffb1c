"""What memagent's memory is compared with: baselines, and other memories through small adapters."""
