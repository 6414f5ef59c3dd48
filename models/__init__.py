"""The models: torch and Arrow in, one ONNX file out; no Spark, Feast, MLflow or environment."""
