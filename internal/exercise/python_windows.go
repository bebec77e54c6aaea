package exercise

// python is the name of its interpreter: python3 is there a stub that opens a shop.
const python = "python"
