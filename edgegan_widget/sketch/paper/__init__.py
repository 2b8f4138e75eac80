"""Pictures of drawings as people take them -> where the ink is, whatever light, paper and pen there were."""
