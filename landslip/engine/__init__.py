"""What only the workflow engine needs: digests of code, leases of GPUs."""
