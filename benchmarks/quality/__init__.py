"""How good the models are on tables that anybody can fetch, beside other libraries."""
