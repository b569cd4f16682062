"""NVIDIA GPUs: preflight, compatibility of versions, NVML, the CUDA-event clock."""
