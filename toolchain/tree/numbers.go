package main

import utiljson "k8s.io/apimachinery/pkg/util/json"

// wholeNumbers makes numbers what Kubernetes' libraries have them as: integers where they are whole.
func wholeNumbers(objects ...map[string]any) error {
	for _, object := range objects {
		if err := utiljson.ConvertMapNumbers(object, 0); err != nil {
			return err
		}
	}
	return nil
}
