"""Jobs: dataset, fit, calibrate, evaluate, gate, track, batch score, monitor."""
