"""The INT8 quantizer: calibration images, ranges and biases; Q/DQ pairs in ONNX files; what TFLite files need."""
