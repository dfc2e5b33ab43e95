"""Other services' ways to ask for a score: the Open Inference Protocol and MLflow's scoring."""
