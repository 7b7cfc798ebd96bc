"""The instruments: processes, processors, servers, clients, tables. What is measured with them is in ../measure."""
