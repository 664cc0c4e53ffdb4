"""offhook answers phone calls with Azure OpenAI or OpenAI Realtime over SIP."""
