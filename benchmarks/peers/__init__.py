"""The systems FraiseQL is measured beside, each as its documentation advises, over the same tables."""
