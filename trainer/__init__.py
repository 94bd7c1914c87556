"""What runs inside Transform, Tuner and Trainer."""
