"""Letters on paper: the geometry of official documents and the builder that draws them."""
