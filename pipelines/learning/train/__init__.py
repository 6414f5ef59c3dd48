"""The stage `train`: torchrun on the training set, an MLflow run, a registered challenger."""
