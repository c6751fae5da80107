package main

import utiljson "k8s.io/apimachinery/pkg/util/json"

// wholeNumbers converts whole numbers to integers, as Kubernetes' libraries require.
func wholeNumbers(objects ...map[string]any) error {
	for _, object := range objects {
		if err := utiljson.ConvertMapNumbers(object, 0); err != nil {
			return err
		}
	}
	return nil
}
