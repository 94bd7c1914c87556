"""UpdatedModel: registers an updated model beside the one that was validated."""
