"""Several hosts of one activity (phối hợp): who answers for its figures."""
