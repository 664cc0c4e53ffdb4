"""What several tests share: a call and a surface that are driven by hand."""
